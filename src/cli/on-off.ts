import { Argument, Option } from 'commander';

/** A switch, worded once. */
const states = ['on', 'off'] as const;
export type OnOff = (typeof states)[number];

export const onOffOption = (flag: string, description: string): Option =>
  new Option(`${flag} <on|off>`, description).choices(states);

export const onOffArgument = (description: string): Argument => new Argument('<on|off>', description).choices(states);

/** `{ [name]: boolean }` where something was said, else nothing. */
export function switched<Name extends string>(name: Name, value: OnOff | undefined): { [K in Name]?: boolean } {
  return (value === undefined ? {} : { [name]: value === 'on' }) as { [K in Name]?: boolean };
}
