import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EatDmlError } from '../../errors.js';
import type { ImageProgress } from '../../long-work.js';
import { liveMain, livePage } from '../../report/html/live-page.js';
import type { TrainingProgress } from '../../training/index.js';
import { Seen } from './seen.js';

/** Alone this machine's own: nobody else is to see or ask for it. */
const HOST = '127.0.0.1';
/** Between two pictures of a training, at least, and between an answer and the next where nothing is new. */
const EVERY_MS = 1000;
const LONGEST_MS = 25_000;

export interface Watch {
  readonly url: string;
  show(progress: ImageProgress | TrainingProgress): void;
  /** Tells those who look on how it ended, and ends. */
  close(how: string): Promise<void>;
}

export interface Watched {
  name: string;
  folder: string;
  /** Any that is free where none is named. */
  port?: number;
}

/** Serves the page of a training while it lasts. @throws EatDmlError ERR_SYSTEM where the port is taken. */
export async function openWatch({ name, folder, port = 0 }: Watched): Promise<Watch> {
  const seen = new Seen(name, folder);
  const waiting = new Set<() => void>();
  let version = 0;
  let due: NodeJS.Timeout | undefined;
  const renew = () => {
    due = undefined;
    version++;
    for (const answer of waiting) answer();
  };
  const view = {
    seen,
    version: () => version,
    /** Until something is new, or it has taken long. */
    changed: (since: number) =>
      new Promise<void>((resolve) => {
        if (since !== version || seen.ended !== undefined) return resolve();
        const answer = () => {
          clearTimeout(timer);
          waiting.delete(answer);
          resolve();
        };
        const timer = setTimeout(answer, LONGEST_MS);
        waiting.add(answer);
      }),
  };
  const server = createServer((request, response) => {
    answered(request, response, view).catch(() => response.destroy());
  });
  await listening(server, port);
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    show(progress) {
      seen.add(progress);
      due ??= setTimeout(renew, EVERY_MS);
    },
    async close(how) {
      seen.ended = how;
      clearTimeout(due);
      renew();
      await closed(server);
    },
  };
}

interface View {
  seen: Seen;
  version(): number;
  changed(since: number): Promise<void>;
}

async function answered(request: IncomingMessage, response: ServerResponse, view: View): Promise<void> {
  // Each answer is the last of its connection, so that none holds up the end.
  response.setHeader('Connection', 'close');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  const refuse = (status: number) => void response.writeHead(status).end();
  if (!isOwnName(request)) return refuse(403);
  if (request.method !== 'GET') return refuse(405);
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
  if (pathname === '/') {
    const version = view.version();
    const page = await livePage(view.seen.now(), version);
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else if (pathname === '/state') {
    await view.changed(Number(searchParams.get('since')));
    const now = view.seen.now();
    const main = await liveMain(now);
    const state = { version: String(view.version()), main, ended: now.ended !== undefined };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(state));
  } else refuse(404);
}

/** A name that leads to this machine by a detour, as a page of another's may make one up, is none of ours. */
function isOwnName({ headers: { host }, socket: { localPort } }: IncomingMessage): boolean {
  return host === `${HOST}:${localPort}` || host === `localhost:${localPort}`;
}

/** Once all have their last answer; who does not take it holds up nothing. */
async function closed(server: Server): Promise<void> {
  const impatient = setTimeout(() => server.closeAllConnections(), EVERY_MS);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(impatient);
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another process has it' : `received ${cause.code}`;
      reject(
        new EatDmlError('ERR_SYSTEM', `Expected to serve --watch on port ${port} of ${HOST} but ${why}.`, {
          hint: 'Name another port, or none: then any that is free is taken.',
          cause,
        }),
      );
    });
    server.listen(port, HOST, resolve);
  });
}
