/** A radius as people write it: 8/255, or 0.1. */
export function radiusText(epsilon: number): string {
  const steps = epsilon * 255;
  const whole = Math.round(steps);
  return whole > 0 && Math.abs(steps - whole) < 1e-9 * whole ? `${whole}/255` : String(epsilon);
}
