import { generateKeyPair, SignJWT } from 'jose'
import type { Place } from '../place.ts'
import { createService } from './app.ts'

const ISSUER = 'https://auth.agentity.example'

/** The service beside an issuer of tokens, which is somebody else's in production, for `npm run example agentity`. */
export async function createServer(place: Place) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const { app, close } = createService({ ...place, publicKey, issuer: ISSUER })
  return {
    app,
    close,
    async introduce(url: string): Promise<string> {
      const token = new SignJWT().setSubject('user_1').setIssuer(ISSUER).setIssuedAt().setExpirationTime('1h')
      return `export URL=${url} JWT=${await token.setProtectedHeader({ alg: 'ES256' }).sign(privateKey)}`
    },
  }
}
