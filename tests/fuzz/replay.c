/*
 * replay.c — run a fuzz target over the files named on the command line, so that the corpora are ordinary tests.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return 1;
	}
	static uint8_t data[1 << 20];
	const size_t n = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* An exact copy, so that a read past the end is seen by the sanitizer. */
	uint8_t *copy = malloc(n > 0 ? n : 1);
	if (copy == NULL)
		return 1;
	for (size_t i = 0; i < n; i++)
		copy[i] = data[i];
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= replay_file(argv[i]);
	printf("replayed %d inputs\n", argc - 1);
	return failed || argc < 2;
}
