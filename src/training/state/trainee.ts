import { AdamW } from '../adamw.js';
import type { Member } from '../method.js';
import type { Settings } from '../options.js';
import { parameterGroups } from '../parameter-groups.js';

/** A member with its optimiser. */
export interface Trainee extends Member {
  optimizer: AdamW;
  /** Its moving average, where there is one: what is validated, saved as the member, and left at the end. */
  average?: Member;
}

/** The member that a trainee is to others. */
export function shown({ average, embedder, proxies }: Trainee): Member {
  return average ?? { embedder, proxies };
}

/** A member with an optimiser that has made no step. */
export function trainee(settings: Settings, { embedder, proxies }: Member, average?: Member): Trainee {
  const optimizer = new AdamW(parameterGroups(settings, embedder, proxies));
  return { embedder, proxies, optimizer, ...(average && { average }) };
}

/** Frees the trainees with all that is theirs. */
export function disposeTrainees(trainees: readonly Trainee[]): void {
  for (const trainee of trainees) {
    for (const { embedder, proxies } of [trainee, ...(trainee.average ? [trainee.average] : [])]) {
      embedder.dispose();
      proxies.dispose();
    }
    trainee.optimizer.dispose();
  }
}
