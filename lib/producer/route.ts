/**
 * Where a record may go: into memory, to the disk, nowhere until others of its key or shard are through (`later`), or
 * nowhere, like all that come after it (`stop`).
 */
export type Route = 'memory' | 'disk' | 'later' | 'stop';
