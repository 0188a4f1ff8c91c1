import { Fault } from '../lib/errors.ts';

export function initFault(dataDir: string, message: string, hint: string): Fault {
  return new Fault({ op: 'make the data directory', subject: dataDir, message, hint });
}
