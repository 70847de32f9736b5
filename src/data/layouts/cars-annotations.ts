import { describe, EatDmlError } from '../../errors.js';
import { type MatArray, readMat5 } from '../mat5.js';
import { IMAGE_PATH, isInside, type OnFault } from './text-list.js';

/** One image of an annotation file. */
export interface Annotation {
  file: string;
  label: number;
}

export interface Annotations {
  images: Annotation[];
  /** Name of each class, where the file has names: the first is that of class 1. */
  names: string[];
}

/**
 * The images of a CARS196 annotation file: of each element of the struct `annotations` the class, and the file in the field
 * `fileField`. `classes` is how many there may be where the file has no `class_names`.
 *
 * @throws EatDmlError ERR_DATA that names the file and the element.
 */
export async function readAnnotations(
  path: string,
  fileField: string,
  classes: number,
  onFault: OnFault,
): Promise<Annotations> {
  const variables = await readMat5(path, ['annotations', 'class_names']);
  const names = textsIn(path, 'class_names', variables.get('class_names'));
  const [files, labels] = [fileField, 'class'].map((field) => fieldIn(path, variables.get('annotations'), field));
  const most = names.length || classes;
  const images = files.flatMap((value, i) => {
    const file = value.kind === 'text' && value.lines.length === 1 ? value.lines[0] : undefined;
    const label = numberIn(labels[i]);
    const where = `${path}, annotations(${i + 1})`;
    if (file === undefined || !isInside(file)) {
      onFault(fault(IMAGE_PATH, file ?? value.kind, `${where}.${fileField}`));
    } else if (label === undefined || !(Number.isInteger(label) && label >= 1 && label <= most)) {
      onFault(fault(`a class from 1 to ${most}`, label ?? labels[i].kind, `${where}.class`));
    } else return [{ file, label }];
    return [];
  });
  return { images, names };
}

/** The names of the classes in a file of the devkit. */
export async function readClassNames(path: string): Promise<string[]> {
  const variables = await readMat5(path, ['class_names']);
  return textsIn(path, 'class_names', variables.get('class_names'));
}

function fieldIn(path: string, annotations: MatArray | undefined, field: string): MatArray[] {
  const values = annotations?.kind === 'struct' ? annotations.fields.get(field) : undefined;
  if (values) return values;
  const received =
    annotations?.kind === 'struct' ? [...annotations.fields.keys()].join(', ') : (annotations?.kind ?? 'none');
  throw fault(`a struct annotations with the field ${field}`, received, path);
}

function numberIn(value: MatArray): number | undefined {
  return value.kind === 'numbers' && value.data.length === 1 ? value.data[0] : undefined;
}

function textsIn(path: string, name: string, value: MatArray | undefined): string[] {
  if (!value) return [];
  const cells = value.kind === 'cell' ? value.values : [value];
  return cells.map((cell) => {
    if (cell.kind === 'text' && cell.lines.length === 1) return cell.lines[0];
    throw fault(`a cell of texts as ${name}`, cell.kind, path);
  });
}

function fault(expected: string, received: unknown, where: string): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${describe(received)} in ${where}.`);
}
