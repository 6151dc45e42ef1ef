/* What the application tells. */
provider app {
	probe start();
	probe request__done(int code, string path) : (string path, int code);
};
