// An EAT ensemble, trained and measured on classes it has never seen: node examples/eat.mjs [images per class] [epochs]
import { convEmbedder, eat, evaluate, fashionMnist, reportText, train } from 'eat-dml';

const [perClass = 200, epochs = 4] = process.argv.slice(2).map(Number);
const { train: seen, test: unseen } = await fashionMnist({ split: 'zero-shot', perClass, seed: 1 });
const ensemble = await train({
  data: seen,
  model: convEmbedder({ dimension: 64, width: 16 }),
  method: eat({ members: 3, transfer: 'shared', attack: { norm: 'linf', epsilon: 0.1, steps: 5 } }),
  ...{ epochs, batch: { size: 64 }, seed: 1 },
  onProgress: ({ step, steps, loss }) =>
    step % 10 === 0 && console.error(`step ${step}/${steps}, loss ${loss.toFixed(2)}`),
});
const report = await evaluate(ensemble, unseen, { suite: 'quick', epsilon: 0.1, count: 500, seed: 1 });
console.log(reportText(report));
