/**
 * Where a record may go: into memory, to the disk, nowhere until other records of its key or shard are done
 * (`later`), or nowhere, like all records after it (`stop`).
 */
export type Route = 'memory' | 'disk' | 'later' | 'stop';
