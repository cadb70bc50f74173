import { writeFileSync } from 'node:fs'
import { managementDocument } from 'keyward/management'

/**
 * `npm run openapi` writes the OpenAPI document of the management routes to docs/openapi.json, as a service would serve
 * it that keeps an audit log and knows its people by a session cookie.
 */
const document = managementDocument({
  path: '/settings/keys',
  audit: true,
  document: {
    securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'session' } },
    security: [{ session: [] }],
  },
})

const [file = 'docs/openapi.json'] = process.argv.slice(2)
writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`)
