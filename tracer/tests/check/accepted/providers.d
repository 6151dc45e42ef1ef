#pragma D attributes Evolving/Evolving/Common provider app provider
#pragma D attributes Private/Private/Unknown provider app module
provider app {
	probe start();
	probe stop(void);
	probe request__done(int code, char *path, struct request *r);
	probe item(string name, long n) : (long n, string name);
};
BEGIN { exit(0); }
