/** Keeps a backend of tfjs's cpu class from printing, at its first tensor, an advertisement for another backend. */
export function quiet(backend: object): void {
  Object.assign(backend, { firstUse: false });
}
