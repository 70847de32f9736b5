import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.js';

const files = readdirSync('examples').filter((name) => name.endsWith('.json'));

test.each(files)('examples/%s is a configuration', (name) => {
  const config = JSON.parse(readFileSync(join('examples', name), 'utf8'));
  expect(configSchema.safeParse(config).error?.issues ?? []).toEqual([]);
});

test('there are some', () => expect(files).toContain('cub200-resnet50.json'));
