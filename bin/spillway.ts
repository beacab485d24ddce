#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Halves the second that a command needs to start. Not in the system's temporary directory, where others may write; a
// cache that cannot be kept is none.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'spillway'));
const { spillway } = await import('../lib/cli/spillway.ts');
process.exitCode = await spillway(process.argv);
