import { describe } from 'vitest';
import { ballProperties } from './ball-properties.js';
import { testDevices } from './support.js';

describe.each(testDevices)('%s', ballProperties);
