import { type Command, Option } from 'commander';
import { skipBrokenOption } from './bridges.js';
import { modelOptions, positiveInteger, positiveNumber, radius, sharedOptions } from './options.js';

/** The flags that say what is trained on what, and how. */
export function trainOptions(command: Command): Command {
  return modelOptions(sharedOptions(command))
    .option('--method <name>', 'default eat-heads')
    .option('--loss <name>', 'default proxy-anchor, or that of the configuration')
    .option('--recipe <name>', 'a published set of training options; those of the configuration go before it')
    .option('--data <set>', 'fashion-mnist (default), ..., or cub200:/path and the like for an archive')
    .addOption(skipBrokenOption())
    .option(
      '--pixels <count>',
      'height and width of the images: of photographs random parts, mirrored by chance (default 224)',
      positiveInteger,
    )
    .option('--members <count>', 'networks in the ensemble', positiveInteger)
    .option('--heads <count>', 'heads of the network, of eat-heads', positiveInteger)
    .option(
      '--epsilon <radius>',
      'of the attack trained against, such as 8/255, in [0, 1] pixel units (default 0.1; above 1 in l2 and l1 alone)',
      radius,
    )
    .addOption(
      new Option('--norm <norm>', 'of the attack trained against (default linf)').choices(['linf', 'l2', 'l1']),
    )
    .option('--steps <count>', 'of the attack trained against (default the method’s)', positiveInteger)
    .option('--epochs <count>', 'passes over the training images (default 10)', positiveInteger)
    .option('--batch <images>', 'images in a batch, whatever their class (default 128)', positiveInteger)
    .option('--rate <number>', 'learning rate of the networks (default 0.001)', positiveNumber)
    .option('--per-class <count>', 'Fashion-MNIST images of each class (default all 7000)', positiveInteger);
}
