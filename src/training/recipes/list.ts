/** Every recipe that `recipe` can name; a new one is one more line. */
export { proxyAnchorRecipePart } from './proxy-anchor.js';
