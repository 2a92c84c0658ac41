/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_main.h"

int main(int argc, char **argv)
{
	return load_main(argc, argv, NULL);
}
