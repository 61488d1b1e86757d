def greeting(name):
    return "Dear " + name
