import type { ConfigInput } from './schema.ts';

/**
 * Types the default export of a `spillway.config.ts`. Checks nothing at run time: the check happens when the
 * file is loaded.
 *
 * @example
 * export default defineConfig({
 *   name: 'shop',
 *   zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'shop.example.com' },
 *   cells: [{ name: 'orders', stream: { name: 'orders', existing: true } }],
 * });
 */
export function defineConfig(input: ConfigInput): ConfigInput {
  return input;
}
