/** A radius as people write it: 8/255 where it is a multiple of 1/255 within rounding and that is shorter, else 0.1. */
export function radiusText(epsilon: number): string {
  // Without what rounding leaves: 3 * 0.1 is 0.3.
  const decimal = String(Number(epsilon.toPrecision(12)));
  const steps = epsilon * 255;
  const whole = Math.round(steps);
  const fraction = `${whole}/255`;
  const isMultiple = whole > 0 && Math.abs(steps - whole) < 1e-9 * whole;
  return isMultiple && fraction.length < decimal.length ? fraction : decimal;
}
