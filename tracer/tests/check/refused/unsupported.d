extern int outside;

BEGIN
{
	trace(1);
}
