#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// People wait for each command: what was compiled for one need not be for the next. Set-up makes the folder, so that an image, which is read only, has none.
const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'node')
if (existsSync(cache)) enableCompileCache(cache)
await import('./main.ts')
