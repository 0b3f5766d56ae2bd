#include "CImages.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// jpeglib.h needs stdio.h before it.
#include <jpeglib.h>
#include <jerror.h>

// A header may claim any size; beyond this many pixels it is taken for damage, not for an image.
static const int64_t MAX_PIXELS = (int64_t)1 << 28;

void cimages_free(void *memory) { free(memory); }

static int32_t fail(char *message, const char *reason) {
  snprintf(message, CIMAGES_MESSAGE, "%s", reason);
  return 1;
}

// MARK: JPEG

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  char *message;
} JPEGErrors;

static void jpeg_fatal(j_common_ptr info) {
  JPEGErrors *errors = (JPEGErrors *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(errors->message, CIMAGES_MESSAGE, "%s", text);
  longjmp(errors->escape, 1);
}

// libjpeg fills a truncated image with grey and only warns: here missing data is an error.
static void jpeg_warning(j_common_ptr info, int level) {
  if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER))
    jpeg_fatal(info);
}

static void jpeg_errors(JPEGErrors *errors, char *message) {
  jpeg_std_error(&errors->base);
  errors->base.error_exit = jpeg_fatal;
  errors->base.emit_message = jpeg_warning;
  errors->message = message;
}

static int32_t jpeg_decode(const uint8_t *bytes, int64_t count, uint8_t **rgb, int32_t *width,
                           int32_t *height, char *message) {
  struct jpeg_decompress_struct info;
  JPEGErrors errors;
  uint8_t *volatile pixels = NULL;
  jpeg_errors(&errors, message);
  info.err = &errors.base;
  if (setjmp(errors.escape)) {
    jpeg_destroy_decompress(&info);
    free(pixels);
    return 1;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, (unsigned long)count);
  jpeg_read_header(&info, TRUE);
  if ((int64_t)info.image_width * info.image_height > MAX_PIXELS) {
    jpeg_destroy_decompress(&info);
    return fail(message, "more than 2^28 pixels");
  }
  int cmyk = info.num_components == 4;
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&info);
  size_t stride = (size_t)info.output_width * info.output_components;
  pixels = malloc(stride * info.output_height);
  if (!pixels) {
    jpeg_destroy_decompress(&info);
    return fail(message, "out of memory");
  }
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + stride * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  if (cmyk) {
    // Adobe's four-colour files hold inverted inks, so ink * black is the light that is left.
    size_t total = (size_t)info.output_width * info.output_height;
    int inverted = info.saw_Adobe_marker;
    for (size_t i = 0; i < total; i++)
      for (int c = 0; c < 3; c++) {
        int ink = pixels[4 * i + c], black = pixels[4 * i + 3];
        if (!inverted) ink = 255 - ink, black = 255 - black;
        pixels[3 * i + c] = (uint8_t)((ink * black + 127) / 255);
      }
  }
  jpeg_finish_decompress(&info);
  *width = (int32_t)info.output_width;
  *height = (int32_t)info.output_height;
  *rgb = pixels;
  jpeg_destroy_decompress(&info);
  return 0;
}

static int32_t jpeg_encode(const uint8_t *rgb, int32_t width, int32_t height, int32_t quality,
                           uint8_t **bytes, int64_t *count, char *message) {
  struct jpeg_compress_struct info;
  JPEGErrors errors;
  unsigned char *memory = NULL;
  unsigned long size = 0;
  jpeg_errors(&errors, message);
  info.err = &errors.base;
  if (setjmp(errors.escape)) {
    jpeg_destroy_compress(&info);
    return 1;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = (JSAMPROW)rgb + (size_t)3 * width * info.next_scanline;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *bytes = memory;
  *count = (int64_t)size;
  return 0;
}

// MARK: PNG

static int is_colour_chunk(const uint8_t *type) {
  static const char *names[] = {"gAMA", "cHRM", "iCCP", "sRGB", "cICP", "mDCV", "cLLI"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (memcmp(type, names[i], 4) == 0) return 1;
  return 0;
}

// Copies a file without its chunks on colour, by which libpng would change the numbers: networks
// are trained and run on what is stored. A damaged rest is copied as it is, for libpng to name.
static uint8_t *png_plain(const uint8_t *bytes, int64_t *count) {
  uint8_t *copy = malloc((size_t)*count);
  if (!copy) return NULL;
  int64_t from = 8, to = 8;
  memcpy(copy, bytes, 8);
  while (*count - from >= 12) {
    const uint8_t *chunk = bytes + from;
    int64_t size = 12 + ((int64_t)chunk[0] << 24 | chunk[1] << 16 | chunk[2] << 8 | chunk[3]);
    if (size > *count - from) break;
    if (!is_colour_chunk(chunk + 4)) {
      memcpy(copy + to, chunk, (size_t)size);
      to += size;
    }
    from += size;
  }
  memcpy(copy + to, bytes + from, (size_t)(*count - from));
  *count = to + *count - from;
  return copy;
}

static int32_t png_decode_plain(const uint8_t *bytes, int64_t count, uint8_t **rgb, int32_t *width,
                                int32_t *height, char *message) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes, (size_t)count))
    return fail(message, image.message);
  if ((int64_t)image.width * image.height > MAX_PIXELS) {
    png_image_free(&image);
    return fail(message, "more than 2^28 pixels");
  }
  // Numbers of 16 bits are taken as they are, not for light that is yet to be encoded.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  // Read with alpha and drop it: asking libpng for RGB would blend with a background instead.
  image.format = PNG_FORMAT_RGBA;
  uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
  if (!pixels) {
    png_image_free(&image);
    return fail(message, "out of memory");
  }
  if (!png_image_finish_read(&image, NULL, pixels, 0, NULL)) {
    free(pixels);
    return fail(message, image.message);
  }
  size_t total = (size_t)image.width * image.height;
  for (size_t i = 0; i < total; i++)
    for (int c = 0; c < 3; c++) pixels[3 * i + c] = pixels[4 * i + c];
  *width = (int32_t)image.width;
  *height = (int32_t)image.height;
  *rgb = pixels;
  return 0;
}

static int32_t png_decode(const uint8_t *bytes, int64_t count, uint8_t **rgb, int32_t *width,
                          int32_t *height, char *message) {
  uint8_t *plain = png_plain(bytes, &count);
  if (!plain) return fail(message, "out of memory");
  int32_t result = png_decode_plain(plain, count, rgb, width, height, message);
  free(plain);
  return result;
}

static int32_t png_encode(const uint8_t *rgb, int32_t width, int32_t height, uint8_t **bytes,
                          int64_t *count, char *message) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = (png_uint_32)width;
  image.height = (png_uint_32)height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *memory = malloc(size);
  if (!memory) return fail(message, "out of memory");
  if (!png_image_write_to_memory(&image, memory, &size, 0, rgb, 0, NULL)) {
    free(memory);
    return fail(message, image.message);
  }
  *bytes = memory;
  *count = (int64_t)size;
  return 0;
}

// MARK: Either

int32_t cimages_decode(const uint8_t *bytes, int64_t count, uint8_t **rgb, int32_t *width,
                       int32_t *height, char *message) {
  if (count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF)
    return jpeg_decode(bytes, count, rgb, width, height, message);
  if (count >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
    return png_decode(bytes, count, rgb, width, height, message);
  return fail(message, count == 0 ? "the file is empty" : "neither JPEG nor PNG");
}

int32_t cimages_encode(const uint8_t *rgb, int32_t width, int32_t height, int32_t quality,
                       uint8_t **bytes, int64_t *count, char *message) {
  if (width <= 0 || height <= 0) return fail(message, "the image has no pixels");
  if (quality == 0) return png_encode(rgb, width, height, bytes, count, message);
  return jpeg_encode(rgb, width, height, quality, bytes, count, message);
}
