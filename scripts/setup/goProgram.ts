import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'

const BUILD_TIMEOUT_ms = 900_000

/** A program that is built from its published module. */
export interface GoProgram {
  /** As people call it. */
  readonly name: string
  readonly version: string
  /** Path of its package in the module, whose last part Go names the program by. */
  readonly package: string
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Stands behind the sentence that says what is missing: what else would do. */
  readonly instead?: string
}

/** Builds a program with Go and puts it at `into`. @throws Fault with one clear sentence */
export async function buildWithGo(program: GoProgram, into: string, note: (text: string) => void): Promise<void> {
  const { name, version, flags = [], env = {}, instead = '' } = program
  const scratch = join(dirname(into), `.${basename(into)}.go`)
  mkdirSync(scratch, { recursive: true })
  try {
    const built = await runCommand('go', ['install', ...flags, `${program.package}@v${version}`], { env: { ...env, GOBIN: scratch }, timeout_ms: BUILD_TIMEOUT_ms, line: note })
    if (built.missing) throw new Fault(`${name} ${version} has to be built and Go is not installed: install Go 1.25 or newer (https://go.dev/dl)${instead}.`)
    const binary = join(scratch, programName(program.package))
    if (built.code !== 0 || !existsSync(binary)) throw new Fault(`${name} ${version} could not be built with Go (Go 1.25 or newer and a network connection are needed)${instead}:\n${built.output.trim().slice(-2_000)}`)
    renameSync(binary, into)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** As Go does: a module's major version is no name. */
const programName = (path: string): string => basename(/\/v[0-9]+$/.test(path) ? dirname(path) : path)
