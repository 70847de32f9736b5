/** Arrays one after the other, in a new one; at least one of them. */
export function joined<T extends Uint8Array | Int32Array | Float64Array>(parts: readonly T[]): T {
  const Type = parts[0].constructor as new (length: number) => T;
  const all = new Type(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
