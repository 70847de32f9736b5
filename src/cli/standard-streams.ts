import { EXIT, errorText } from './exit-codes.js';

/**
 * Lets no standard stream end the work: a terminal that is gone, a pipe that nobody reads, a disk that is full. What stderr
 * would have said is lost. A result that stdout does not take is an error of its own, unless its reader had enough.
 */
export function outliveStreams(): void {
  process.stderr.on('error', () => {});
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    process.stdout.on('error', () => {});
    if (error.code === 'EPIPE') return;
    process.exitCode = EXIT.environment;
    process.stderr.write(`eat-dml: the result cannot be printed: ${errorText(error)}\n`);
  });
}
