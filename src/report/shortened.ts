/** A name cut to fit; what is cut off is said by dots. Whole characters, of which emoji have several units. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
