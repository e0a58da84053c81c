#!/usr/bin/env node
// The command itself is built; this file is not, so that npm can link it before the first build.
import { main } from '../dist/cli.js';

process.exitCode = await main(process.argv.slice(2));
