#!/usr/bin/env node
import { run } from './program.js';
import { outliveStreams } from './standard-streams.js';

outliveStreams();
await run(process.argv.slice(2));
