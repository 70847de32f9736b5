/** `1 step`, `2 steps`. */
export const amount = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
