/** A score as it is shown: three digits, n/a where it is not defined. */
export function scoreText(value: number | null): string {
  return value === null ? 'n/a' : value.toFixed(3);
}

/** A worst score and the condition that gave it. */
export function worstText(value: number | null, by: string | null): string {
  return by === null ? scoreText(value) : `${scoreText(value)} (${by})`;
}
