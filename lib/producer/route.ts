/**
 * Where a record may go: into memory, to the disk, nowhere until other records of its key or shard are done
 * (`later`), for at most a moment until the last records of its key have left the disk (`soon`), or nowhere, like all
 * records after it (`stop`).
 */
export type Route = 'memory' | 'disk' | 'later' | 'soon' | 'stop';
