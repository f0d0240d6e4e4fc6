"""A local stand-in for the Gemini API's `generateContent` with image models."""
