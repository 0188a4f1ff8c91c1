import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = Pick<PinoLogger, 'info' | 'warn' | 'error' | 'debug' | 'child'>;

/** JSON lines to standard error; secrets are named so that they cannot slip in with an object. */
export function createLogger(level: string): PinoLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: [
        'uri',
        '*.uri',
        'password',
        '*.password',
        'privateKey',
        '*.privateKey',
        'secret',
        '*.secret',
        'passphrase',
      ],
    },
    pino.destination(2),
  );
}

export const silentLogger: PinoLogger = pino({ level: 'silent' });
