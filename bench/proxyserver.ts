/** `kerb gssproxy` for the figures: `proxyserver.js CONFIG`. @module */
import { gssproxy } from '../src/cli/gssproxy.ts'

await gssproxy({ config: process.argv[2]!, socket: '' })
