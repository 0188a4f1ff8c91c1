import { composeService } from './compose/service.ts';
import { givenName, readConfig, type ServiceConfig } from './config.ts';
import { Cancelled, describeError, Misconfigured } from './lib/errors.ts';

/**
 * Serves until the signal fires, then drains: answers what was asked, puts running tasks back, writes what is due,
 * closes. Rejects where it cannot start. `print` gets one line, where it listens, once it does.
 */
export async function serve(
  config: ServiceConfig,
  options: { signal: AbortSignal; print: (line: string) => void },
): Promise<void> {
  const { signal } = options;
  const service = await composeService(config);
  try {
    const address = await service.listen();
    options.print(`tidemark listens on ${address}`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    await service.close();
  }
}

/** Fires at the first SIGTERM or SIGINT. A second one finds no handler and ends the process. */
function terminationSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(new Cancelled()));
  return controller.signal;
}

if (import.meta.main) {
  try {
    await serve(readConfig(process.env), {
      signal: terminationSignal(),
      print: (line) => process.stdout.write(`${line}\n`),
    });
  } catch (error) {
    const misconfigured = error instanceof Misconfigured;
    const name = misconfigured && error.option !== undefined ? givenName(error.option, process.env) : null;
    process.stderr.write(`tidemark: ${name === null ? '' : `${name}: `}${describeError(error)}\n`);
    process.exitCode = misconfigured ? 2 : 1;
  }
}
