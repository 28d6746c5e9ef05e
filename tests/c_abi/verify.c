// verify FILE: gives the request in FILE to the archive, prints the answer, and exits with the status. Plain C, linked
// with libephemeralml_evidence.a by the C compiler.
#include <stdio.h>
#include <stdlib.h>

#include "abi/ephemeralml_evidence.h"

static char* read_all(const char* path, size_t* size) {
  FILE* const file = fopen(path, "rb");
  if (file == NULL) return NULL;
  char* bytes = NULL;
  *size = 0;
  for (size_t room = 1 << 16;; room *= 2) {
    char* const grown = realloc(bytes, room);
    if (grown == NULL) break;
    bytes = grown;
    *size += fread(bytes + *size, 1, room - *size, file);
    if (*size < room) break;
  }
  fclose(file);
  return bytes;
}

int main(int argc, char** argv) {
  size_t request_size = 0;
  char* const request = argc == 2 ? read_all(argv[1], &request_size) : NULL;
  if (request == NULL) {
    fputs("usage: verify FILE\n", stderr);
    return 64;
  }
  char* answer = NULL;
  size_t answer_size = 0;
  const int status = eml_evidence_verify(request, request_size, &answer, &answer_size);
  if (answer != NULL) {
    fwrite(answer, 1, answer_size, stdout);
    putchar('\n');
  }
  eml_free(answer);
  free(request);
  return status;
}
