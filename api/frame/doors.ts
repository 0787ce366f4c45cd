/**
 * The two doors of the one app: the public one, and the operations door for staff, a listener of its own. Each route hangs at one door (or at
 * both) by its row of the access matrix, and the router finds it nowhere else: at the wrong door it does not exist.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RouteOptions } from 'fastify';
import { accessOf } from '../access.ts';
import type { Door } from '../access.ts';
import { createClientErrorHandler } from './client-errors.ts';
import { DEFAULT_LIMITS } from '../dependencies.ts';
import type { AppDependencies, HttpLimits } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';

/** Requests that came in at the operations door. No header can put one there. */
const atOperations = new WeakSet<IncomingMessage>();

export function doorOf(message: IncomingMessage): Door {
  return atOperations.has(message) ? 'operations' : 'public';
}

type ConstraintStrategy = Parameters<LatchkeyApp['addConstraintStrategy']>[0];
type RouteHandler = Parameters<ReturnType<ConstraintStrategy['storage']>['set']>[1];

/** Routes of one door are found by requests of that door alone; those of both are found by either. */
const DOOR_CONSTRAINT: ConstraintStrategy = {
  name: 'door',
  storage: () => {
    const handlers = new Map<unknown, RouteHandler>();
    return {
      get: (door) => handlers.get(door) ?? null,
      set: (door, handler) => void handlers.set(door, handler),
    };
  },
  deriveConstraint: doorOf,
  validate: (door) => {
    if (door !== 'public' && door !== 'operations') throw new TypeError('there are two doors');
  },
  mustMatchWhenDerived: false,
};

const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;

/** Of Node's server, the same at both doors. */
export function serverOptions({ requestTimeoutMs }: HttpLimits) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
    // Node looks for late requests this often, and by itself only every 30 s.
    connectionsCheckingInterval: 1_000,
  };
}

/** Before any route is added: a route without a row, as plugins add them, is of the public door. */
export function hangRoutesAtDoors(app: LatchkeyApp): void {
  app.addConstraintStrategy(DOOR_CONSTRAINT);
  app.addHook('onRoute', (route) => {
    const door = doorOfRoute(route);
    if (door !== 'both') route.constraints = { ...route.constraints, door };
  });
}

export function doorOfRoute({ config }: Pick<RouteOptions, 'config'>): Door | 'both' {
  return config?.door ?? accessOf(config?.operationId)?.door ?? 'public';
}

/**
 * The operations door, not yet listening: the limits of the public one, the same routing. It closes with the app and lets what is under
 * way end first.
 */
export function createOperationsDoor(
  app: LatchkeyApp,
  deps: Pick<AppDependencies, 'newId' | 'logger' | 'limits'>,
): Server {
  const limits = deps.limits ?? DEFAULT_LIMITS;
  const server = createServer(
    { ...serverOptions(limits), requestTimeout: limits.requestTimeoutMs },
    (request, response) => {
      atOperations.add(request);
      app.routing(request, response);
    },
  );
  server.maxConnections = app.server.maxConnections;
  server.maxRequestsPerSocket = app.server.maxRequestsPerSocket ?? 0;
  server.keepAliveTimeout = app.server.keepAliveTimeout;
  server.on('clientError', createClientErrorHandler(deps));
  endSilentConnections(app, server);
  ignoreUnknownExpectations(server);
  app.addHook('preClose', async () => {
    if (!server.listening) return;
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return server;
}

/**
 * Node would answer 417 by itself, without a problem and past every hook. RFC 9110 section 10.1.1 lets a server that knows no such expectation go on.
 */
export function ignoreUnknownExpectations(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/** Browsers connect ahead of what they might ask. Node waits for such a connection for ever once it closes: it counts as busy. */
export function endSilentConnections(app: LatchkeyApp, server: Server): void {
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}

/** Answers the port, which is another than asked for when that was 0. */
export async function openOperationsDoor(
  app: LatchkeyApp,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  const { operationsDoor } = app;
  await new Promise<void>((resolve, reject) => {
    operationsDoor.once('error', reject);
    operationsDoor.listen({ host, port }, () => {
      operationsDoor.off('error', reject);
      resolve();
    });
  });
  const address = operationsDoor.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
