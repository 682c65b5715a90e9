#!/usr/bin/env node
import { endQuietlyWhenNobodyReads, main } from '../dist/index.js'
endQuietlyWhenNobodyReads()
process.exitCode = await main(process.argv.slice(2))
