/**
 * The real nginx, Debian's build, on loopback: with a configuration of the caller's, in a folder of its own, and nothing of the machine's.
 * It must never read /etc/nginx.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../../../runtime/managed-process.ts';
import { findFreePort, isPortTaken } from '../../../runtime/ports.ts';
import { waitUntilReady } from '../../../runtime/readiness.ts';
import { debianTool } from './debian-tool.ts';

const START_TIMEOUT_MS = 20_000;

export interface Nginx {
  readonly url: string;
  readonly port: number;
  /** What it logged since the start: its error log, access lines if the configuration asks for them. */
  readonly lines: readonly string[];
  /** SIGQUIT: finishes what is under way. */
  stop(): Promise<void>;
}

/**
 * Starts it and waits until it listens. `httpOf` answers what stands inside `http { }` for the port that was found, which must listen on
 * 127.0.0.1 there.
 * @throws Error with nginx's own words when the configuration is not accepted.
 */
export async function startNginx(httpOf: (port: number) => string): Promise<Nginx> {
  const nginx = await debianTool({ package: 'nginx', executable: 'nginx', folder: 'usr/sbin' });
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-nginx-'));
  const port = await findFreePort();
  await mkdir(join(folder, 'temporary'));
  await writeFile(join(folder, 'nginx.conf'), mainConfiguration(httpOf(port)));
  const lines: string[] = [];
  const server = await startProcess({
    name: 'nginx',
    command: nginx,
    // Before it reads its configuration it would write to /var/log.
    args: ['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'stderr'],
    stopSignal: 'SIGQUIT',
    stopGraceMs: 3_000,
    onLine: (line) => lines.push(line),
  });
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(() => isPortTaken(port), {
      what: 'nginx',
      timeoutMs: START_TIMEOUT_MS,
      pollMs: 20,
      gaveUp: server.exited,
    });
  } catch (cause) {
    await stop();
    throw new Error(`nginx did not start: ${lines.join('\n')}`, { cause });
  }
  return { url: `http://127.0.0.1:${String(port)}`, port, lines, stop };
}

/** Several replicas behind one address. A POST that went out is never sent again; a GET may be, and its proof is then a replay. */
export function balanceOver(ports: readonly number[]): (port: number) => string {
  return (port) => `
    upstream replicas {
      ${ports.map((replica) => `server 127.0.0.1:${String(replica)} max_fails=0;`).join('\n      ')}
      keepalive 32;
    }
    server {
      listen 127.0.0.1:${String(port)};
      location / {
        proxy_pass http://replicas;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_connect_timeout 1s;
        # Refused connections, and GETs that broke off; never a POST that was sent.
        proxy_next_upstream error;
      }
    }`;
}

/** Everything that Debian's build would look for elsewhere is named. Root's workers stay root, or they could not read the folder. */
function mainConfiguration(http: string): string {
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path temporary/body;
  proxy_temp_path temporary/proxy;
  fastcgi_temp_path temporary/fastcgi;
  uwsgi_temp_path temporary/uwsgi;
  scgi_temp_path temporary/scgi;
  default_type application/octet-stream;
  types { }
${http}
}
`;
}
