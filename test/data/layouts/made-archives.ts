import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { CLASS, element, headed, matrix, STORED, small, struct, texts } from '../mat5-writer.js';

/** Archives at their published counts, by formula: what their lists say, and which files they name. */
export interface MadeArchive {
  /** As findLayout calls it. */
  layout: string;
  /** Images and classes of each side. */
  sides: Record<string, [images: number, classes: number]>;
  /** List files by their path below the root. */
  lists: Record<string, string | Uint8Array>;
  /** The images, below the root. */
  images: string[];
}

/** The class of image i of `images`, which are shared out evenly among `classes` classes from `first` on. */
const shared = (i: number, images: number, classes: number, first = 1) => first + Math.floor((i * classes) / images);
const count = (length: number) => Array.from({ length }, (_, i) => i);
const padded = (value: number, digits: number) => String(value).padStart(digits, '0');

function cub200(): MadeArchive {
  const [train, test] = [5864, 5924];
  const labels = [
    ...count(train).map((i) => shared(i, train, 100)),
    ...count(test).map((i) => shared(i, test, 100, 101)),
  ];
  const folder = (label: number) => `${padded(label, 3)}.Bird_of_kind_${label}`;
  const files = labels.map((label, i) => `${folder(label)}/Bird_${padded((i * 7919) % 11788, 4)}_${i}.jpg`);
  return {
    layout: 'cub200',
    sides: { train: [train, 100], test: [test, 100] },
    lists: {
      'images.txt': files.map((file, i) => `${i + 1} ${file}\n`).join(''),
      'image_class_labels.txt': labels.map((label, i) => `${i + 1} ${label}\n`).join(''),
      'classes.txt': count(200)
        .map((i) => `${i + 1} ${folder(i + 1)}\n`)
        .join(''),
    },
    images: files.map((file) => `images/${file}`),
  };
}

const CARS = { train: 8054, test: 8131 };
const CARS_SIDES: MadeArchive['sides'] = { train: [CARS.train, 98], test: [CARS.test, 98] };

function carClasses(): number[] {
  const { train, test } = CARS;
  return [...count(train).map((i) => shared(i, train, 98)), ...count(test).map((i) => shared(i, test, 98, 99))];
}

const carNames = count(196).map((i) => (i === 150 ? 'Ram C/V Cargo Van 2012' : `Make ${i} Model 16.4 Conv. 2012`));

function mat(...variables: Uint8Array[]): Uint8Array {
  const packed = variables.map((variable) => element(STORED.compressed, deflateSync(variable), true));
  return Buffer.concat([headed(true), ...packed]);
}

const classNames = () =>
  matrix(
    'class_names',
    CLASS.cell,
    [1, 196],
    carNames.map((name) => texts('', name)),
  );

const BOX = ['bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2'];
const box = (i: number) => [i % 90, i % 70, 300 + (i % 400), 200 + (i % 300)];

function carsUnion(): MadeArchive {
  const labels = carClasses();
  const images = labels.map((_, i) => `car_ims/${padded(i + 1, 6)}.jpg`);
  const rows = labels.map((label, i) => [texts('', images[i]), ...[...box(i), label, i % 2].map(small)]);
  const annotations = struct('annotations', ['relative_im_path', ...BOX, 'class', 'test'], rows);
  return {
    ...{ layout: 'cars196/union', sides: CARS_SIDES, images },
    lists: { 'cars_annos.mat': mat(annotations, classNames()) },
  };
}

/** The classes of the 8,144 and 8,041 images that are for training and for test in classification. */
function carSides(): { train: number[]; test: number[] } {
  const labels = carClasses();
  const isTrain = (i: number) => (i * 8144) % 16185 < 8144;
  return { train: labels.filter((_, i) => isTrain(i)), test: labels.filter((_, i) => !isTrain(i)) };
}

function carsDevkit(): MadeArchive {
  const { train, test } = carSides();
  const name = (i: number) => `${padded(i + 1, 5)}.jpg`;
  const annotations = (labels: number[]) => {
    const rows = labels.map((label, i) => [...[...box(i), label].map(small), texts('', name(i))]);
    return struct('annotations', [...BOX, 'class', 'fname'], rows);
  };
  return {
    ...{ layout: 'cars196/devkit', sides: CARS_SIDES },
    lists: {
      'devkit/cars_train_annos.mat': mat(annotations(train)),
      'devkit/cars_meta.mat': mat(classNames()),
      'cars_test_annos_withlabels.mat': mat(annotations(test)),
    },
    images: [...train.map((_, i) => `cars_train/${name(i)}`), ...test.map((_, i) => `cars_test/${name(i)}`)],
  };
}

function carsKaggle(): MadeArchive {
  const sides = carSides();
  const name = (i: number) => `${padded(i + 1, 5)}.jpg`;
  const csv = (labels: number[]) => labels.map((label, i) => [name(i), ...box(i), label].join(',')).join('\r\n');
  const images = Object.entries(sides).flatMap(([side, labels]) =>
    labels.map((label, i) => `car_data/car_data/${side}/${carNames[label - 1].replace('/', '-')}/${name(i)}`),
  );
  return {
    ...{ layout: 'cars196/kaggle', sides: CARS_SIDES, images },
    lists: {
      'anno_train.csv': csv(sides.train),
      'anno_test.csv': csv(sides.test),
      'names.csv': carNames.join('\n'),
    },
  };
}

function inShop(): MadeArchive {
  const sides: MadeArchive['sides'] = { train: [25882, 3997], query: [14218, 3985], gallery: [12612, 3985] };
  const rows = Object.entries(sides).flatMap(([side, [images, classes]]) =>
    count(images).map((i) => {
      const item = `id_${padded(shared(i, images, classes, side === 'train' ? 1 : 3998), 8)}`;
      const group = ['WOMEN/Dresses', 'MEN/Denim', 'WOMEN/Tees_Tanks'][i % 3];
      return { side, item, file: `img/${group}/${item}/${padded(i, 5)}_${side}.jpg` };
    }),
  );
  const lines = rows.map(({ side, item, file }) => `${file.padEnd(70)} ${item} ${side.padEnd(10)}\n`);
  const head = '52712\nimage_name item_id evaluation_status\n';
  return {
    ...{ layout: 'in-shop', sides, images: rows.map(({ file }) => `Img/${file}`) },
    lists: { 'Eval/list_eval_partition.txt': head + lines.join('') },
  };
}

function sop(): MadeArchive {
  const sides: MadeArchive['sides'] = { train: [59551, 11318], test: [60502, 11316] };
  const row = (i: number, id: number, label: number) => [
    id,
    label,
    1 + (i % 12),
    `kind_${i % 12}_final/${id}_${i}.JPG`,
  ];
  const rows = {
    train: count(59551).map((i) => row(i, i + 1, shared(i, 59551, 11318))),
    test: count(60502).map((i) => row(i, i + 59552, shared(i, 60502, 11316, 11319))),
  };
  const list = (all: (string | number)[][]) =>
    `image_id class_id super_class_id path\n${all.map((columns) => columns.join(' ')).join('\n')}\n`;
  return {
    ...{ layout: 'sop', sides, images: [...rows.train, ...rows.test].map(([, , , file]) => String(file)) },
    lists: { 'Ebay_train.txt': list(rows.train), 'Ebay_test.txt': list(rows.test) },
  };
}

/** As many class folders and images as SOP has, which no list names. */
function folder(): MadeArchive {
  const images = count(120053).map((i) => `${padded(shared(i, 120053, 22634, 0), 5)}/${padded(i, 6)}.jpg`);
  const train = images.filter((file) => Number(file.slice(0, 5)) < 11317).length;
  return { layout: 'folder', sides: { train: [train, 11317], test: [120053 - train, 11317] }, lists: {}, images };
}

export const MADE = { cub200, carsUnion, carsDevkit, carsKaggle, inShop, sop, folder };

/** Writes an archive's lists below `root`. */
export function writeLists(root: string, { lists }: Pick<MadeArchive, 'lists'>): void {
  for (const [file, content] of Object.entries(lists)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  }
}
