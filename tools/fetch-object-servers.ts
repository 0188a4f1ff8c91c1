import { join } from 'node:path';
import { messageOf } from '../src/lib/errors.ts';
import { findNpmTool } from './fetch-npm-tools.ts';
import { findProgram, goProgram, type Program, pythonPackage } from './fetch-programs.ts';

/** Object store servers for the tests and the bench, each from its language's package registry into our cache. */
export type ObjectServer = 'versitygw' | 'fake-gcs-server' | 'moto' | 'azurite';

/** Azurite, the one for Azure Blob Storage, is installed as all that npm installs for us. */
type BuiltServer = Exclude<ObjectServer, 'azurite'>;

const sources: Record<BuiltServer, Program> = {
  versitygw: goProgram('versitygw', 'github.com/versity/versitygw/cmd/versitygw', 'v1.8.0'),
  'fake-gcs-server': goProgram('fake-gcs-server', 'github.com/fsouza/fake-gcs-server', 'v1.56.1'),
  moto: pythonPackage('moto', 'moto[s3,server]', '5.2.5'),
};

/**
 * Path of the program (for moto, of the Python that has it; for azurite, of what Node is to run), fetched where it is
 * not there yet. Throws a sentence that says why it cannot be had.
 */
export async function findObjectServer(name: ObjectServer): Promise<string> {
  if (name === 'azurite') return join(await findNpmTool(name), 'node_modules/azurite/dist/src/blob/main.js');
  return await findProgram('object-servers', sources[name]);
}

if (import.meta.main) {
  for (const name of [...(Object.keys(sources) as BuiltServer[]), 'azurite' as const]) {
    try {
      console.log(await findObjectServer(name));
    } catch (error) {
      console.error(messageOf(error));
      process.exitCode = 1;
    }
  }
}
