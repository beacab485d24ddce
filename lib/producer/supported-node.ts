/** The oldest supported Node. On an older one a library would fail instead, with a message about itself. */
const LEAST: readonly [number, number] = [22, 18];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  throw new Error(
    `Spillway needs Node.js ${LEAST.join('.')} or later, and this is ${process.versions.node}: install a newer one.`,
  );
}
