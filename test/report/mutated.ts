import { randomStream } from '../../src/random.js';

/** One random damage to the text of a file of JSON, by its number. */
export function mutated(text: string, seed: number): string {
  const random = randomStream(seed, 'mutation');
  const at = random.integer(text.length);
  const anything = String.fromCharCode(32 + random.integer(95));
  const kind = random.integer(6);
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + anything + text.slice(at + 1);
  if (kind === 2) return text.slice(0, at) + text.slice(at + 1 + random.integer(40));
  if (kind === 3) return text.slice(0, at) + text.slice(random.integer(text.length));
  // The others keep to JSON: a value replaced by another, a key renamed.
  const values = ['null', '""', '-1', '1e999', '[]', '{}', 'true', '"x"', '1e308', '{"__proto__":1}'];
  const value = values[random.integer(values.length)];
  const spots = [...text.matchAll(kind === 4 ? /(?<=":)("[^"]*"|-?[\d.]+|null|true|false|\[|\{)/g : /"\w+"(?=:)/g)];
  const spot = spots[random.integer(spots.length)];
  if (kind === 5) return `${text.slice(0, spot.index)}"other"${text.slice(spot.index + spot[0].length)}`;
  return `${text.slice(0, spot.index)}${value}${text.slice(endOfValue(text, spot.index))}`;
}

/** Where the JSON value that begins at `start` ends. */
function endOfValue(text: string, start: number): number {
  for (let end = start + 1; end <= text.length; end++) {
    try {
      JSON.parse(text.slice(start, end));
      // A number may go on.
      if (!/[\d.eE+-]/.test(text[end] ?? '')) return end;
    } catch {
      // Not whole yet.
    }
  }
  return start;
}
