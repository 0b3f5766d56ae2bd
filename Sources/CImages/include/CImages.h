#ifndef CIMAGES_H
#define CIMAGES_H

#include <stdint.h>

// A thin face on libjpeg-turbo and libpng: their setjmp error handling stays on this side.
// Pixels are 8-bit RGB, row after row, [height, width, 3]. Every function returns 0, or 1 with a
// NUL-terminated reason in `message` (at least CIMAGES_MESSAGE bytes).

#define CIMAGES_MESSAGE 256

/// Decodes a JPEG or PNG (told apart by its first bytes). Grey is spread to RGB, alpha dropped,
/// 16 bits become 8. `*rgb` is to be freed with cimages_free. A truncated file is an error.
int32_t cimages_decode(const uint8_t *bytes, int64_t count, uint8_t **rgb, int32_t *width,
                       int32_t *height, char *message);

/// Encodes RGB as PNG (quality 0) or as JPEG of quality 1...100 without chroma subsampling.
int32_t cimages_encode(const uint8_t *rgb, int32_t width, int32_t height, int32_t quality,
                       uint8_t **bytes, int64_t *count, char *message);

void cimages_free(void *memory);

#endif
