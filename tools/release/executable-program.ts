import { startProgram } from '../../src/cli/program.ts';

void startProgram();
