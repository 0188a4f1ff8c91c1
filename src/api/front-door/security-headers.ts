/**
 * Headers of every answer. Values are those that Atlas was recorded to send (Atlas CLI's recordings of August 2026),
 * but that nothing may be cached: answers hold secrets, and what is no secret is of no use later. Pure.
 */
export function securityHeaders(scheme: 'http' | 'https'): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'referrer-policy': 'strict-origin-when-cross-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    ...(scheme === 'https' ? { 'strict-transport-security': STRICT_TRANSPORT } : {}),
  };
}

/** Atlas adds its subdomains. Those of a host that we know nothing of are not ours to bind. */
const STRICT_TRANSPORT = 'max-age=31536000';

/**
 * What a TLS connection may be encrypted with: TLS 1.3's, and of TLS 1.2 only those with forward secrecy and an
 * authenticated cipher (Mozilla's "intermediate" list without the finite-field ones, which need parameters of their
 * own).
 */
export const tlsRules = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
} as const;
