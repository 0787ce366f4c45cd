/** A line to PostgreSQL that a test can cut: connections break and new ones are refused, as when the server is gone. */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class CuttableLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: URL | undefined;

  private constructor() {
    this.#server = createServer((near) => {
      const far = connect(Number(this.#target?.port), this.#target?.hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }

  static async open(): Promise<CuttableLine> {
    const line = new CuttableLine();
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  /** The same database through this line. */
  to(url: string): string {
    this.#target = new URL(url);
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    // A TCP server's address is never a path.
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  async cut(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
