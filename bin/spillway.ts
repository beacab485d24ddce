#!/usr/bin/env node
import { spillway } from '../lib/cli/spillway.ts';

process.exitCode = await spillway(process.argv);
