/** What the tests use of the parsers; their own types take the compiler longer than the parsers take for the documents. */
declare module '@asyncapi/parser' {
  interface Listed {
    all(): { id(): string | undefined }[];
  }
  export class Parser {
    parse(text: string): Promise<{
      document?: { version(): string; allChannels(): Listed; allOperations(): Listed };
      diagnostics: { severity: number; code: string | number; message: string }[];
    }>;
  }
}

declare module '@apidevtools/swagger-parser' {
  const SwaggerParser: { validate(document: string | object): Promise<{ paths?: object }> };
  export default SwaggerParser;
}
