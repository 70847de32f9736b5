import { z } from 'zod';
import { count } from '../../options.js';
import { attackNorm, radius } from '../norm.js';

/** What every attack has. Lengths are in [0, 1] pixel units. */
export const commonSettings = {
  name: z.string().describe('how reports call it'),
  norm: attackNorm.describe('of the ball that the perturbation is kept in'),
  epsilon: radius.describe('radius of the ball around the clean image'),
  steps: count.describe('gradient steps of each restart'),
  randomStart: z.boolean().describe('start uniformly inside the ball instead of at the image'),
  restarts: count.describe('independent runs of which the best is kept'),
};

/** What every attack is told: norm, radius in [0, 1] pixel units, restarts. */
export type CommonSettings = Readonly<z.infer<z.ZodObject<typeof commonSettings>>>;

/** Norm and radius, which every attack is given. */
export const ball = {
  norm: attackNorm.default('linf').describe('of the ball that the perturbation is kept in'),
  epsilon: radius.describe('radius of the ball, in [0, 1] pixel units, measured in the norm'),
};
